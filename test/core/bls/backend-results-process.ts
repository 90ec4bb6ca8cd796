import { bls } from '../../../core/bls/backend.js'
import { backendResults } from './backend-results.js'

process.stdout.write(JSON.stringify({ backend: bls.name, results: backendResults() }))
