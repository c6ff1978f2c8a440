//! The door through which a policy asks.

use super::Action;

/// Collects a policy's requests during one decision; the engine checks each at once.
pub struct Ask<'a> {
    pub(crate) submit: &'a mut dyn FnMut(Action, String) -> Result<(), super::Refusal>,
}

impl Ask<'_> {
    /// Asks for an action, giving its cause in words.
    ///
    /// # Errors
    /// The reason, if the engine declines.
    pub fn request(
        &mut self,
        action: Action,
        cause: impl Into<String>,
    ) -> Result<(), super::Refusal> {
        (self.submit)(action, cause.into())
    }
}
