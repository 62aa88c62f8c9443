//! `setters!`: methods that set one optional member each, for bodies that are built.

/// Something that a builder method can fill.
pub(crate) trait Fill<V> {
    fn fill(&mut self, value: V);
}

impl<T, V: Into<T>> Fill<V> for Option<T> {
    fn fill(&mut self, value: V) {
        *self = Some(value.into());
    }
}

impl<T, V: Into<T>> Fill<V> for super::Patch<T> {
    fn fill(&mut self, value: V) {
        *self = Self::Set(value.into());
    }
}

/// Writes `pub fn field(mut self, value: impl Into<Type>) -> Self` for each `field: Type`.
macro_rules! setters {
    ($object:ident { $($(#[$meta:meta])* $field:ident: $ty:ty,)* }) => {
        impl $object {
            $(
                $(#[$meta])*
                #[must_use]
                pub fn $field(mut self, value: impl Into<$ty>) -> Self {
                    $crate::wire::Fill::<$ty>::fill(&mut self.$field, value.into());
                    self
                }
            )*
        }
    };
}
