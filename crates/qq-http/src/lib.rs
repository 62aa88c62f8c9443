//! REST client for the QQ bot platform: access tokens, routes, structured errors.
