"""The running product: HTTP and WebSocket in front, the federation engine inside."""
