// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

import {Multicall} from "./Multicall.sol";

/// As vaults of versions 1 to 4 and the registry have it: of what a call reverts with only a text gets through.
abstract contract LegacyMulticall is Multicall {
    /// Selector, offset and length: no text is shorter. Errors without arguments and panics are.
    uint256 private constant LEAST_TEXT = 68;

    function fail(bytes memory answer) internal pure override {
        if (answer.length < LEAST_TEXT) revert();
        bubble(answer);
    }
}
