"""Where records come from: one connector for each delivery form, driven by the dataset's contract alone.

`connect.connect` takes a contract, a request set and the holder's endpoint, and gives a `Delivery`: Arrow batches of
just the requested subjects and columns, and a report of what the holder sent, what was dropped and what was withheld.
`simulate/` is the world of agencies that runs by default.
"""
