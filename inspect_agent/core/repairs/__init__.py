"""What rules want done: limited, ordered, carried out step by step, and verified."""
