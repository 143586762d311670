"""The simulated broker and market: same contract as MetaTrader 5, faults by name.

Reads from the inside out: `symbols` and `arithmetic` are pure, `ledger` keeps what the broker
holds, `market` its prices, `broker` changes both, `trading` is the trade server's `order_send`,
`structs` shows it all in MetaTrader's own field names, `faults` spoils it on request.
"""
