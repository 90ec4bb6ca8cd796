// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {KeeperRewards} from "./KeeperRewards.sol";

contract Keeper is KeeperRewards {}
