/** Who may call what: the relayer's table of rights, as data. */

export const ROLES = ['operator', 'sidecar', 'viewer'] as const
export type Role = (typeof ROLES)[number]

/** Kinds of calls that have the same rights. */
export type Action = 'public' | 'reading' | 'posting' | 'requesting' | 'managing' | 'metrics'

/** Where a call comes from: this machine, elsewhere, or elsewhere at a relayer started with --open. */
export type Place = 'local' | 'elsewhere' | 'open'

export interface Rights {
  /** Whether a caller without a token may, by place. `unless-told-otherwise`: a setting can forbid it. */
  readonly withoutToken: Readonly<Record<Place, boolean | 'unless-told-otherwise'>>
  /** Roles whose token allows it everywhere. */
  readonly roles: readonly Role[]
}

export const RIGHTS: Readonly<Record<Action, Rights>> = {
  /** GET /info and the health check. */
  public: { withoutToken: { local: true, elsewhere: true, open: true }, roles: ROLES },
  /** GET /exits, GET /validators and the OpenAPI page. */
  reading: {
    withoutToken: { local: true, elsewhere: 'unless-told-otherwise', open: 'unless-told-otherwise' },
    roles: ['sidecar', 'operator', 'viewer'],
  },
  /** POST /exit-signature and /signatures: what comes is checked, so strangers can do no harm. */
  posting: {
    withoutToken: { local: true, elsewhere: 'unless-told-otherwise', open: 'unless-told-otherwise' },
    roles: ['sidecar'],
  },
  /** POST /validators: starts exits. */
  requesting: { withoutToken: { local: true, elsewhere: false, open: true }, roles: ['operator'] },
  /** /register, /fund, /withdraw, /consolidate: what signs as the validators manager. */
  managing: { withoutToken: { local: false, elsewhere: false, open: false }, roles: ['operator'] },
  /** GET /metrics. */
  metrics: { withoutToken: { local: true, elsewhere: false, open: false }, roles: ['viewer', 'operator'] },
}
