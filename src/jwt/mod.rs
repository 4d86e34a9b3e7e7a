//! Session tokens, stateless and hybrid.
//!
//! | | [`Sessions`](crate::Sessions) | [`JwtSessions`] | [`HybridSessions`] |
//! | --- | --- | --- | --- |
//! | client holds | opaque `id.secret` | signed claims | signed claims with the session's id and generation |
//! | truth | the row | the claims | the row; the claims only name it |
//! | verbs beside `start`, `authenticate`, `peek` | `rotate(session)`, `end`, `end_all`, `end_others`, `list`, `sweep` | none | the same, and `rotate(session, claims)` |
//! | to end a session | at once | at `exp`, or by the subject's epoch ([`Bounds`](crate::Bounds)) | at once |
//! | renewal | one guarded write, nothing sent | a token issued anew | one guarded write; a new generation is sent |
//! | replay of a superseded token | – | good until its own `exp` | ends the session, after the grace |
//!
//! # Claims
//!
//! | claim | value | source |
//! | --- | --- | --- |
//! | `sub` | the subject | RFC 7519 section 4.1.2 |
//! | `sid` | the session's id, 22 base64url characters | OpenID Connect Front-Channel Logout section 3 |
//! | `auth_time` | `created_at` | OpenID Connect Core section 2; a refreshed token keeps it (12.2) |
//! | `iat` | stateless: `renewed_at`; hybrid: the instant of issue | RFC 7519 section 4.1.6 |
//! | `exp` | stateless: `expires_at`; hybrid: the cap, since the row decides | RFC 7519 section 4.1.4 |
//! | `cap` | `absolute_expires_at` | |
//! | `jti` | 128 random bits, another in every token | RFC 7519 section 4.1.7 |
//! | `gen` | the generation of a hybrid token, from 1; 0 in a stateless one | |
//! | `fam` | hybrid: the first 8 bytes of the hash of the row's secret | |
//! | `epoch` | that of the sign-in, if it had one | |
//! | `profile` | the policy's name | |
//! | `iss`, `aud` | as configured | RFC 7519 sections 4.1.1 and 4.1.3 |
//!
//! Instants are whole unix seconds, not before 1970. The application's own
//! claims, a type of its choice, stand beside these and cannot have their names.
//! A token is signed, not encrypted: put nothing in it that the client must not
//! read.
//!
//! # Verification
//!
//! A [`KeyRing`] signs and verifies, on `jsonwebtoken`'s keys and crypto
//! provider. Claims are read here, and more strictly than RFC 7519 asks: no name
//! occurs twice, none is one that `serde_json` takes for its own, at any depth, instants
//! are whole non-negative seconds, every
//! [session claim](#claims) is there, and a token has at most 8 KiB, before
//! anything is parsed. Time is judged by
//! [`SessionPolicy::evaluate`](crate::SessionPolicy::evaluate) with the clock of
//! the sessions; `jsonwebtoken` never reads one. `nbf`, which these tokens do not
//! have, is honoured without leeway.
//!
//! A token may have more than one text: of ES256 the signatures (r, s) and
//! (r, n - s) both verify, and anybody can make one of the other. So a token's text is no
//! identifier, and a list of refused texts refuses nothing; `jti` and `sid` tell tokens
//! and sessions apart, and nothing here goes by the text.
//!
//! # JSON Web Token Best Current Practices
//!
//! RFC 8725 section 3, point by point. The tests are in `tests/`.
//!
//! | point | how it is met | shown by |
//! | --- | --- | --- |
//! | 3.1 perform algorithm verification | the `alg` must be the one algorithm of the key, which the ring fixes | `jwt_attacks`: `a_header_is_decided_by_what_it_demands`; `key_ring`: `a_key_that_a_token_names_wrongly_does_not_verify_it` |
//! | 3.2 use appropriate algorithms | seven current ones; "none" is not among them | `jwt_attacks`: `every_recorded_token_is_decided_as_recorded`; `key_ring`: `every_algorithm_signs_what_only_its_own_key_verifies` |
//! | 3.3 validate all cryptographic operations | one signature, and nothing of the payload is parsed before it is verified; there is no nesting and no encryption | `jwt_attacks`: `flipping_bits_within_a_segment_is_refused`, `segments_put_together_anew_are_refused` |
//! | 3.4 validate cryptographic inputs | keys are checked when they join the ring; ES256 and `EdDSA` points by the crypto provider | `key_ring`: `weak_and_wrong_keys_are_refused_with_a_message_without_key_material` |
//! | 3.5 ensure keys have sufficient entropy | an HMAC secret is at least as long as its hash, an RSA key has at least 2048 bits | the same test |
//! | 3.6 avoid compression before encryption | nothing is compressed or encrypted; JWE is refused | `jwt_attacks`: `every_recorded_token_is_decided_as_recorded` |
//! | 3.7 use UTF-8 | what is not UTF-8 JSON is malformed | `jwt_attacks`: `what_is_not_utf_8_is_refused` |
//! | 3.8 validate issuer and subject | `iss` is exactly the configured one; `sub` is required and well-formed | `jwt_attacks`: `a_claim_is_decided_by_its_exact_json` |
//! | 3.9 use and validate audience | `aud` is or has exactly the configured one; without one configured, a token with an audience is refused | the same, and `an_unconfigured_audience_accepts_only_tokens_without_one` |
//! | 3.10 do not trust received claims | `kid` is compared with the ring's ids and nothing else; `jku`, `jwk`, `x5c` and `x5u` are ignored | `jwt_attacks`: `a_header_is_decided_by_what_it_demands` |
//! | 3.11 use explicit typing | `typ` is absent or JWT in a stateless token, and `session+jwt` in a hybrid one: an access token (`at+jwt`) or logout token is refused | the same test; `jwt_sessions`: `a_token_is_good_for_one_strategy_only` |
//! | 3.12 use mutually exclusive validation rules | `sid`, `auth_time`, `cap`, `gen`, `profile` and `jti` are required, which other kinds of JWT do not have; `gen` tells stateless from hybrid tokens | `jwt_attacks`: `a_claim_is_decided_by_its_exact_json`; `jwt_sessions`: `a_token_is_good_for_one_strategy_only` |

mod codec;
mod hybrid;
mod keys;
mod stateless;

pub use self::hybrid::{GraceError, HybridSessions};
pub use self::keys::{Algorithm, KeyError, KeyRing, SigningKey, VerifyingKey};
pub use self::stateless::JwtSessions;
pub use crate::sessions::{IssueError, TokenError};
