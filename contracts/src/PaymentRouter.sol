// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Settlements} from "./router/Settlements.sol";
import {Subscriptions} from "./router/Subscriptions.sol";

/// @title The ways to pay that a token alone does not offer
/// @notice Payouts to many (`batchPay`, `splitPay`), settlement of many signed payments (`settleBatch`), payments on
/// record (`payRecorded`, `settleBatchRecorded`) and subscriptions.
/// @dev It has no owner and cannot be changed or stopped. Money goes from payer to payee and never stays here. An
/// allowance for the router moves only in its owner's own calls and by what the owner subscribed to.
contract PaymentRouter is Settlements, Subscriptions {}
