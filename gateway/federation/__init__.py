"""Apollo Federation v2: composition, planning and execution. Imports no complaints, HTTP server or MongoDB code."""
