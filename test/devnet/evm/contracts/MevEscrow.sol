// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {HarvestFailed} from "./Errors.sol";
import {IVault} from "./Interfaces.sol";

/// Holds block rewards until the vaults take them: those of one vault, or of all that share.
contract MevEscrow {
    mapping(address => bool) public sharesMev;

    receive() external payable {}

    function harvest(uint256 assets) external {
        if (!sharesMev[msg.sender]) revert HarvestFailed();
        IVault(msg.sender).receiveFromMevEscrow{value: assets}();
    }

    // What only the devnet calls.

    function setVault(address vault) external {
        sharesMev[vault] = true;
    }
}
