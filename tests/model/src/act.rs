//! What may happen in a model.

use std::fmt;

use crate::script::{Token, Verb};
use crate::world::Who;

/// What may happen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Act {
    /// A request comes in at a node.
    Begin(Who, usize, Verb),
    /// What holds for the subject changes to that of this place in the scope.
    Change(usize),
    /// A request is cut off by its client.
    Cancel(usize),
    /// An answer reaches the client.
    Deliver(usize),
    /// A node is given the tightened policy.
    Deploy(usize),
    /// The store carries out a request's call, and the node hears of it at once.
    Execute(usize),
    /// The same, but the node hears of it in a later second.
    ExecuteSilently(usize),
    /// The store fails a call, having carried it out or not.
    Fail(usize, bool),
    /// The node hears the answer.
    Hear(usize),
    /// An answer is lost.
    Lose(usize),
    /// A node answers a request with what held for the subject before, of this place in the
    /// world's.
    Recall(usize, usize),
    /// The thief copies the client's token.
    Steal,
    /// A second passes.
    Tick,
}

impl fmt::Display for Act {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Begin(who, node, verb) => {
                write!(f, "{who:?} sends node {node} ")?;
                match verb {
                    Verb::Authenticate(Token::Signed(claims))
                    | Verb::Peek(Token::Signed(claims))
                    | Verb::Rotate(Token::Signed(claims), _) => {
                        let action =
                            if matches!(verb, Verb::Rotate(..)) { "Rotate" } else { "Request" };
                        let (id, generation) = (claims.id, claims.generation);
                        let expires = claims.expires;
                        write!(
                            f,
                            "{action}(session {id}, generation {generation}, until {expires} s)"
                        )
                    }
                    verb => write!(f, "{verb:?}"),
                }
            }
            act => write!(f, "{act:?}"),
        }
    }
}
