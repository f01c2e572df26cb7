"""When: the beat schedule as data, planning of slots, the tick, the doorbell."""
