//! What a token's two objects are read for.

use serde::de::{IgnoredAny, MapAccess};

use super::audience::Audience;
use super::object::{Known, fill};
use super::text::Text;

/// Of a header. Other parameters are ignored (RFC 7515 section 4), above all those
/// that bring or point to a key: `jku`, `jwk`, `x5c`, `x5u`.
#[derive(Default)]
pub(super) struct Header<'a> {
    pub(super) alg: Option<Text<'a>>,
    pub(super) b64: Option<IgnoredAny>,
    pub(super) crit: Option<IgnoredAny>,
    pub(super) kid: Option<Text<'a>>,
    pub(super) typ: Option<Text<'a>>,
}

impl<'a> Known<'a> for Header<'a> {
    fn read<M: MapAccess<'a>>(
        &mut self,
        name: &str,
        map: &mut M,
    ) -> Result<Option<bool>, M::Error> {
        // Compared as bytes, which takes a switch, not a call for each name.
        match name.as_bytes() {
            b"alg" => fill(&mut self.alg, map),
            b"b64" => fill(&mut self.b64, map),
            b"crit" => fill(&mut self.crit, map),
            b"kid" => fill(&mut self.kid, map),
            b"typ" => fill(&mut self.typ, map),
            _ => Ok(None),
        }
    }
}

/// Of a payload. Numbers are of digits only: a sign, a fraction, an exponent and
/// what overflows are malformed.
#[derive(Default)]
pub(super) struct Payload<'a> {
    pub(super) iss: Option<Text<'a>>,
    pub(super) aud: Option<Audience<'a>>,
    pub(super) sub: Option<Text<'a>>,
    pub(super) sid: Option<Text<'a>>,
    pub(super) auth_time: Option<u64>,
    pub(super) iat: Option<u64>,
    pub(super) exp: Option<u64>,
    pub(super) cap: Option<u64>,
    pub(super) jti: Option<Text<'a>>,
    pub(super) fam: Option<Text<'a>>,
    pub(super) r#gen: Option<u64>,
    pub(super) epoch: Option<u64>,
    pub(super) profile: Option<Text<'a>>,
    pub(super) nbf: Option<u64>,
}

impl<'a> Known<'a> for Payload<'a> {
    fn read<M: MapAccess<'a>>(
        &mut self,
        name: &str,
        map: &mut M,
    ) -> Result<Option<bool>, M::Error> {
        // Compared as bytes, which takes a switch, not a call for each name.
        match name.as_bytes() {
            b"iss" => fill(&mut self.iss, map),
            b"aud" => fill(&mut self.aud, map),
            b"sub" => fill(&mut self.sub, map),
            b"sid" => fill(&mut self.sid, map),
            b"auth_time" => fill(&mut self.auth_time, map),
            b"iat" => fill(&mut self.iat, map),
            b"exp" => fill(&mut self.exp, map),
            b"cap" => fill(&mut self.cap, map),
            b"jti" => fill(&mut self.jti, map),
            b"fam" => fill(&mut self.fam, map),
            b"gen" => fill(&mut self.r#gen, map),
            b"epoch" => fill(&mut self.epoch, map),
            b"profile" => fill(&mut self.profile, map),
            b"nbf" => fill(&mut self.nbf, map),
            _ => Ok(None),
        }
    }
}
