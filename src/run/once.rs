//! Values that several blocks need, of which each is found once.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::rc::Rc;

use tokio::sync::OnceCell;

/// Values by key. While one block finds a value, the others that need it wait.
pub(super) struct Once<K, V>(RefCell<BTreeMap<K, Rc<OnceCell<V>>>>);

impl<K, V> Default for Once<K, V> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<K: Ord, V: Clone> Once<K, V> {
    /// The value of a key. Finds it, unless this was done before; after a failure, the next one that needs it tries again.
    pub(super) async fn get_or<E>(&self, key: K, find: impl Future<Output = Result<V, E>>) -> Result<V, E> {
        let cell = Rc::clone(self.0.borrow_mut().entry(key).or_default());
        cell.get_or_try_init(|| find).await.cloned()
    }

    /// Forgets all values.
    pub(super) fn clear(&self) {
        self.0.borrow_mut().clear();
    }
}
