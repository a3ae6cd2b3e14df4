"""Pure decisions: matched profiles and rules in, decision out; no I/O, no clock, no random."""
