use crate::cli::Serve;

/// The same option in several layers (the command line, the environment, the recipe's names). The first layer
/// that sets it counts.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Layers<'l>(pub(crate) &'l [Serve]);

impl<'l> Layers<'l> {
    /// The first layer for which `is_about` is true.
    pub(crate) fn first(self, is_about: impl Fn(&Serve) -> bool) -> Option<&'l Serve> {
        self.0.iter().find(|layer| is_about(layer))
    }

    /// The layers above the first one for which `is_about` is true; all, if there is none.
    pub(crate) fn above(self, is_about: impl Fn(&Serve) -> bool) -> Self {
        let above = self.0.iter().position(is_about);
        Self(above.and_then(|above| self.0.get(..above)).unwrap_or(self.0))
    }

    /// The layers down to the first one for which `is_about` is true; all, if there is none.
    pub(crate) fn down_to(self, is_about: impl Fn(&Serve) -> bool) -> Self {
        let above = self.0.iter().position(is_about);
        Self(above.and_then(|above| self.0.get(..=above)).unwrap_or(self.0))
    }

    /// The value of an option that is given once.
    pub(crate) fn of<T>(self, option: impl Fn(&Serve) -> Option<T>) -> Option<T> {
        self.0.iter().find_map(option)
    }

    /// The values of an option that may be repeated. They all come from one layer.
    pub(crate) fn list<T: Clone>(self, option: impl Fn(&Serve) -> &Vec<T>) -> Vec<T> {
        self.0.iter().map(option).find(|list| !list.is_empty()).cloned().unwrap_or_default()
    }

    /// Whether a switch is on.
    pub(crate) fn any(self, option: impl Fn(&Serve) -> bool) -> bool {
        self.0.iter().any(option)
    }

    /// The options that were typed; those in the environment may be meant for other runs.
    pub(crate) fn typed(&self) -> Option<&Serve> {
        self.0.first()
    }
}
