"""What all outbound HTTP requests share: proxies, trusted certificate authorities, decoding of responses
within bounds."""
