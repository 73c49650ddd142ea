"""Networks of the proteins domain."""
