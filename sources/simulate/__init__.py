"""The world of agencies: real systems with simulated content, one population told by six registers.

`world.build` makes it, `world.advance` moves it by days, `serve.serve` brings the agencies up, `truth.truth` says what
the holders truly hold. Nobody in it can exist: a month of birth is written 20 too high.
"""
