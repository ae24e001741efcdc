use std::collections::{BTreeMap, HashMap};
use std::fmt::{Debug, Display};
trait Shape<const N: usize> { fn area(&self) -> f64; fn name(&self) -> &'static str { "x" } }
struct Square<'a, T: ?Sized>(f64, &'a T);
impl<'a, T: ?Sized + Debug, const N: usize> Shape<N> for Square<'a, T> { #[inline(never)] fn area(&self) -> f64 { self.0 * N as f64 } }
mod grün { pub mod inner { #[inline(never)] pub fn größe<T: Copy>(x: T, f: impl Fn(T) -> i64) -> i64 { f(x) + 1 } } }
#[inline(never)] fn apply<F: for<'a> Fn(&'a str, &mut [u8; 4]) -> (i32,)>(f: F) -> i32 { f("a", &mut [0; 4]).0 }
#[inline(never)] fn dynamic(x: &(dyn Fn(i32) -> Box<dyn Display + Send> + Sync)) -> String { x(3).to_string() }
#[inline(never)] fn pointer<T>(f: unsafe extern "C" fn(*const T, *mut u8) -> !, n: bool) -> usize { if n { unsafe { f(std::ptr::null(), std::ptr::null_mut()) } } f as usize }
#[inline(never)] fn constant<const C: char, const B: bool, const I: i8>() -> usize { C as usize + B as usize + I as usize }
extern "C" fn never<T>(_: *const T, _: *mut u8) -> ! { loop {} }
struct Iter<I>(I);
impl<I: Iterator<Item = u64>> Iterator for Iter<I> { type Item = u64; #[inline(never)] fn next(&mut self) -> Option<u64> { self.0.next().map(|x| x * 2) } }
fn main() {
    let mut map: HashMap<String, Vec<Option<(u8, i16)>>> = HashMap::new();
    for word in std::env::args() { map.entry(word).or_default().push(Some((1, 2))); }
    let mut tree = BTreeMap::new();
    for (key, value) in &map { tree.insert((key.clone(), value.len()), [1u128; 3]); }
    let mut sorted: Vec<_> = tree.into_iter().collect();
    sorted.sort_by(|a, b| b.0.cmp(&a.0));
    let s = Square(2.0, "str");
    println!("{:?} {}", sorted, <Square<str> as Shape<5>>::area(&s) + <Square<[i32]> as Shape<6>>::area(&Square(1.0, &[1][..])));
    println!("{} {}", apply(|s, b| (s.len() as i32 + b[0] as i32,)), grün::inner::größe(3u8, |x| x as i64));
    println!("{}", dynamic(&|x| Box::new(x)));
    println!("{} {}", pointer::<dyn_t::T>(never, map.len() > 100), constant::<'ß', true, -5>());
    println!("{}", Iter(0..10u64).filter(|x| x % 3 == 0).map(|x| move |y: u64| x + y).map(|f| f(1)).sum::<u64>());
    std::thread::spawn(|| { println!("{}", constant::<'\'', false, 7>()) }).join().unwrap();
}
mod dyn_t { pub struct T; }
