"""The simulated broker and market: same contract as MetaTrader 5, faults by name."""
