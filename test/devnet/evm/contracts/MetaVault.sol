// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Multicall} from "./Multicall.sol";
import {Vault} from "./Vault.sol";

/// A vault of vaults: registers nothing itself.
contract MetaVault is Vault, Multicall {}
