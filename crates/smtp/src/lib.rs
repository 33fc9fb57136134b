//! SMTP and LMTP, pure.
