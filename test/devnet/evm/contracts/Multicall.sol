// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {FailedCall} from "./Errors.sol";

/// Several calls of a contract's own functions in one transaction, each with the transaction's sender.
abstract contract Multicall {
    function multicall(bytes[] calldata data) external returns (bytes[] memory results) {
        results = new bytes[](data.length);
        for (uint256 i = 0; i < data.length; i++) {
            (bool success, bytes memory answer) = address(this).delegatecall(data[i]);
            if (!success) fail(answer);
            results[i] = answer;
        }
    }

    /// Reverts for a call that reverted with this answer.
    function fail(bytes memory answer) internal pure virtual {
        if (answer.length == 0) revert FailedCall();
        bubble(answer);
    }

    function bubble(bytes memory answer) internal pure {
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }
}
