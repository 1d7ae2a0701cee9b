"""What the system does unasked: clocks that run out, holders that change, counts that drift."""
