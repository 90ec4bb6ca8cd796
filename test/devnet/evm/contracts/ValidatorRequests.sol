// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FailedCall, InvalidValidators} from "./Errors.sol";

/// What a vault asks the consensus layer to do with its validators, through the system contracts of EIP-7002 and
/// EIP-7251. Each request costs a fee; what is left of the value goes back to the sender.
library ValidatorRequests {
    event ValidatorWithdrawalSubmitted(bytes publicKey, uint256 amount, uint256 feePaid);
    event ValidatorConsolidationSubmitted(bytes fromPublicKey, bytes toPublicKey, uint256 feePaid);

    address private constant WITHDRAWALS = 0x00000961Ef480Eb55e80D19ad83579A64c007002;
    address private constant CONSOLIDATIONS = 0x0000BBdDc7CE488642fb579F8B00f3a590007251;
    uint256 private constant WITHDRAWAL_LENGTH = 56;
    uint256 private constant CONSOLIDATION_LENGTH = 96;

    /// Public key and amount in Gwei of each, an amount of zero for a whole exit.
    function withdraw(bytes calldata validators) internal {
        checkLength(validators, WITHDRAWAL_LENGTH);
        uint256 left = msg.value;
        for (uint256 start = 0; start < validators.length; start += WITHDRAWAL_LENGTH) {
            bytes calldata validator = validators[start:start + WITHDRAWAL_LENGTH];
            uint256 fee = request(WITHDRAWALS, validator);
            left -= fee;
            emit ValidatorWithdrawalSubmitted(validator[:48], uint256(uint64(bytes8(validator[48:]))) * 1 gwei, fee);
        }
        giveBack(left);
    }

    /// The source's public key and the target's of each. Targets must be known, unless oracles have approved all.
    function consolidate(
        mapping(bytes32 => bool) storage known,
        bytes calldata validators,
        bool isApproved
    ) internal {
        checkLength(validators, CONSOLIDATION_LENGTH);
        uint256 left = msg.value;
        for (uint256 start = 0; start < validators.length; start += CONSOLIDATION_LENGTH) {
            bytes calldata validator = validators[start:start + CONSOLIDATION_LENGTH];
            uint256 fee = request(CONSOLIDATIONS, validator);
            bytes32 target = keccak256(validator[48:]);
            if (isApproved) known[target] = true;
            else if (!known[target]) revert InvalidValidators();
            left -= fee;
            emit ValidatorConsolidationSubmitted(validator[:48], validator[48:], fee);
        }
        giveBack(left);
    }

    function checkLength(bytes calldata validators, uint256 length) private pure {
        if (validators.length == 0 || validators.length % length != 0) revert InvalidValidators();
    }

    function request(address queue, bytes calldata validator) private returns (uint256 fee) {
        (bool known, bytes memory answer) = queue.staticcall("");
        if (!known) revert FailedCall();
        fee = abi.decode(answer, (uint256));
        (bool taken, ) = queue.call{value: fee}(validator);
        if (!taken) revert FailedCall();
    }

    function giveBack(uint256 left) private {
        if (left == 0) return;
        (bool taken, ) = msg.sender.call{value: left}("");
        if (!taken) revert FailedCall();
    }
}
