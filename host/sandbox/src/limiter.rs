//! Memory, tables and instances of one call.
//!
//! **Invariant:** a refusal is remembered, because a guest that is refused memory usually dies of something else.

use ringfence_core::call::CallFailure;
use ringfence_core::quantity::Bytes;
use wasmtime::ResourceLimiter;

// Limit: function pointers of the largest components seen (a Python interpreter has 13,000), times eight; all tables
// together.
pub(crate) const TABLE_ELEMENTS_MAX: usize = 1 << 17;
// Limit: a component composed of some dozens of core modules; each costs the host address space.
pub(crate) const INSTANCES_MAX: usize = 100;
// Limit: one for each of them.
pub(crate) const TABLES_MAX: usize = 100;
// Limit: one for each language inside a composed component; each takes address space by the gigabyte.
pub(crate) const MEMORIES_MAX: usize = 16;

#[derive(Debug)]
pub(crate) struct Limiter {
    memory_max: usize,
    /// Bytes of all memories now.
    memory: usize,
    peak: usize,
    /// Elements of all tables now.
    elements: usize,
    refused: Option<CallFailure>,
}

impl Limiter {
    pub(crate) fn new(memory: Bytes) -> Self {
        Self {
            memory_max: usize::try_from(memory.0).unwrap_or(usize::MAX),
            memory: 0,
            peak: 0,
            elements: 0,
            refused: None,
        }
    }

    pub(crate) fn peak(&self) -> Bytes {
        Bytes(self.peak as u64)
    }

    /// The first request that was refused.
    pub(crate) fn refused(&self) -> Option<&CallFailure> {
        self.refused.as_ref()
    }

    fn refuse(&mut self, failure: CallFailure) -> bool {
        self.refused.get_or_insert(failure);
        false
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        // A memory's own maximum is the guest's business: growth fails, but not because of us.
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let total = self.memory.saturating_add(desired.saturating_sub(current));
        if total > self.memory_max {
            let (asked, limit) = (Bytes(total as u64), Bytes(self.memory_max as u64));
            return Ok(self.refuse(CallFailure::Memory { asked, limit }));
        }
        self.memory = total;
        self.peak = self.peak.max(total);
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let more = desired.saturating_sub(current);
        let total = self.elements.saturating_add(more);
        if total > TABLE_ELEMENTS_MAX {
            let resource = "table elements".to_owned();
            return Ok(self.refuse(CallFailure::Exhausted {
                resource,
                limit: TABLE_ELEMENTS_MAX as u64,
            }));
        }
        self.elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        INSTANCES_MAX
    }

    fn tables(&self) -> usize {
        TABLES_MAX
    }

    fn memories(&self) -> usize {
        MEMORIES_MAX
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_and_memories_count_together() {
        let mut limiter = Limiter::new(Bytes(10));
        assert!(limiter.memory_growing(0, 6, None).unwrap());
        assert!(!limiter.memory_growing(0, 6, None).unwrap());
        assert!(limiter.memory_growing(0, 4, None).unwrap());
        let half = TABLE_ELEMENTS_MAX / 2;
        assert!(limiter.table_growing(0, half, None).unwrap());
        assert!(limiter.table_growing(half, half + 1, None).unwrap());
        assert!(!limiter.table_growing(0, half, None).unwrap());
    }
}
