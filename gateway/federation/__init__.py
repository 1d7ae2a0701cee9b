"""Federation v2; knows nothing of complaints, HTTP servers or Mongo."""
