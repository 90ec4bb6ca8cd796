// SPDX-License-Identifier: MIT
pragma solidity ^0.8.28;

/// What EIP-7002 and EIP-7251 have in common: an empty call tells the fee, any other is a request that pays it.
abstract contract RequestQueue {
    event Requested(address source, bytes request);

    /// Wei that a request costs more than one, in slot 0, which the devnet writes.
    uint256 private chargedAboveOne;

    function requestLength() internal pure virtual returns (uint256);

    fallback(bytes calldata request) external payable returns (bytes memory) {
        uint256 fee = chargedAboveOne + 1;
        if (request.length == 0) return abi.encode(fee);
        require(request.length == requestLength(), "RequestQueue: a request of another length");
        require(msg.value >= fee, "RequestQueue: less than the fee");
        emit Requested(msg.sender, request);
        return "";
    }
}

contract WithdrawalRequests is RequestQueue {
    function requestLength() internal pure override returns (uint256) {
        return 56;
    }
}

contract ConsolidationRequests is RequestQueue {
    function requestLength() internal pure override returns (uint256) {
        return 96;
    }
}
