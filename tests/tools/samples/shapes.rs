use std::collections::{HashMap, HashSet};
extern crate serde;

/// A closed figure.
#[derive(Debug, Clone)]
pub struct Shape<T> {
    pub name: String,
    inner: T,
}

pub enum Kind {
    Round(f64),
    Flat { sides: u8 },
}

pub trait Area {
    const UNIT: f64;
    type Out;
    /// Computes it.
    fn area(&self) -> f64;
    fn twice(&self) -> f64 { self.area() * 2.0 }
}

impl<T: Clone> Area for Shape<T> {
    const UNIT: f64 = 1.0;
    type Out = f64;
    fn area(&self) -> f64 {
        helper(1)
    }
}

impl<T> Shape<T> {
    #[inline]
    pub async fn load(path: &str) -> Result<Self, Error> {
        fn nested() {}
        todo!()
    }
}

mod deep {
    pub(crate) static LIMIT: u32 = 3;
}

macro_rules! square {
    ($x:expr) => { $x * $x };
}

type Alias = Shape<u8>;
fn helper(n: u8) -> f64 { n.into() }
