//! DNS, TLS, PROXY protocol, sockets.
