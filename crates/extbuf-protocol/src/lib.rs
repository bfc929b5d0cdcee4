//! Who lends memory, who may look at it, and for how long: exporters, leases, views and windows.
