//! How qq-http and qq-gateway open connections: the Connect seam, TCP, and TLS that is always verified.
