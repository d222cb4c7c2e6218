//! A customer's token: what opens an order to whoever placed it. It is made from the order's id and a secret of this cafe, so
//! that it is stored nowhere, and the same again for a repeated request or after a restore.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use cafe_clock::Ids;
use cafe_events::OrderId;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Makes the tokens of one cafe.
#[derive(Clone)]
pub struct Tokens(Hmac<Sha256>);

impl Tokens {
    /// Those that are made from `secret`.
    ///
    /// # Panics
    /// Never: HMAC takes a key of any length.
    pub fn new(secret: &str) -> Self {
        Self(Hmac::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length (RFC 2104)"))
    }

    /// A secret of 256 random bits.
    pub(crate) fn new_secret(ids: &Ids) -> String {
        let mut bytes = [0; 32];
        ids.fill(&mut bytes);
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// The token of an order: 256 bits, base64url.
    pub fn token(&self, order_id: OrderId) -> String {
        let mut mac = self.0.clone();
        mac.update(order_id.as_bytes());
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_the_same_again_and_different_for_every_order_and_cafe() {
        let tokens = Tokens::new("secret");
        let [one, other] = [1, 2].map(OrderId::from_u128);
        assert_eq!(tokens.token(one), Tokens::new("secret").token(one));
        assert_ne!(tokens.token(one), tokens.token(other));
        assert_ne!(tokens.token(one), Tokens::new("another").token(one));
        assert_eq!(tokens.token(one).len(), 43);
    }
}
