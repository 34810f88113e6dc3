//! Drivers that passed the conformance tests of their API, and others, which wgpu hides unless it is asked.

/// The drivers whose adapters may be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Drivers {
    /// The drivers that wgpu shows. It hides Vulkan drivers that do not claim to have passed the conformance tests.
    #[default]
    Conformant,
    /// The others, too, such as Mesa's Dozen, which runs Vulkan on Direct3D 12 under WSL2. They may compute wrong
    /// results, crash, or hang, and nothing in this crate was tested on them:
    /// [`residual_ratio`](crate::residual_ratio) checks an inverse.
    All,
}

impl Drivers {
    /// An instance of wgpu that shows these drivers, without validation layers and with nothing from the environment.
    pub(super) fn instance(self) -> wgpu::Instance {
        let flags = match self {
            Self::Conformant => wgpu::InstanceFlags::empty(),
            Self::All => wgpu::InstanceFlags::ALLOW_UNDERLYING_NONCOMPLIANT_ADAPTER,
        };
        let descriptor = wgpu::InstanceDescriptor::new_without_display_handle();
        wgpu::Instance::new(wgpu::InstanceDescriptor { flags, ..descriptor })
    }
}

/// Returns for each of `all` adapters whether it is hidden, that is, missing among those that are shown. Equal ones,
/// such as two boards of one model, are matched one to one.
pub(super) fn hidden<T: PartialEq>(all: &[T], mut shown: Vec<T>) -> Vec<bool> {
    let mut is_hidden = |adapter| match shown.iter().position(|other| other == adapter) {
        Some(position) => {
            shown.swap_remove(position);
            false
        }
        None => true,
    };
    all.iter().map(&mut is_hidden).collect()
}

/// Why no adapter was found, and which ones are hidden.
pub(super) fn with_hidden(reason: String, hidden: &[String]) -> String {
    if hidden.is_empty() {
        return reason;
    }
    let hidden = hidden.join(", ");
    format!(
        "{reason}; not used, since its driver is not conformant: {hidden} (see --allow-non-conformant, Drivers::All)"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hidden_adapters_are_told_from_equal_ones() {
        assert_eq!(hidden(&["H200", "Dozen", "llvmpipe"], vec!["llvmpipe", "H200"]), [false, true, false]);
        assert_eq!(hidden(&["Dozen", "Dozen"], vec!["Dozen"]), [false, true]);
        assert_eq!(hidden(&["H200", "H200"], vec!["H200", "H200"]), [false, false]);
        assert_eq!(hidden(&[], vec!["H200"]), [false; 0]);
    }

    #[test]
    fn a_hidden_adapter_is_named_with_the_way_in() {
        assert_eq!(with_hidden("none".to_owned(), &[]), "none");
        let names = ["Microsoft Direct3D12 (Arc)".to_owned(), "Dozen 2".to_owned()];
        let reason = with_hidden("none".to_owned(), &names);
        for part in ["none; ", "Microsoft Direct3D12 (Arc), Dozen 2", "--allow-non-conformant", "Drivers::All"] {
            assert!(reason.contains(part), "{reason}");
        }
    }
}
