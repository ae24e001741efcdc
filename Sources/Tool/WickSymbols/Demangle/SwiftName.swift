/// Shortens the full form of a demangled Swift name to what people read.
///
/// The input is what `swift_demangle` of the Swift runtime prints, such as
/// `closure #1 () -> Swift.Int in app.route(Swift.Int) -> Swift.Int`; the result is what
/// `swift-demangle --simplified` would print, here `closure #1 in route(_:)`: no modules, argument
/// types, results, `where` clauses, conformed protocols, private discriminators, resume parts and
/// mangled suffixes. The runtime can print the full form only, and the library that knows the short
/// one is part of the toolchain and not on servers.
///
/// This file reads descriptions ("protocol witness for …") and what follows them; entities and
/// types are in extensions.
struct SwiftName {
  let scanner: NameScanner

  /// Names nested deeper than this are left as they are; real ones stay below 20.
  static let nestingLimit = 64

  /// Shortens a full name; text that is not one comes back with little or no change.
  static func simplified(_ full: String) -> String {
    let name = SwiftName(scanner: NameScanner(full))
    return String(decoding: name.symbol(name.scanner.all, nesting: 0), as: UTF8.self)
  }

  /// What a description is about, which decides how the rest is read.
  private enum Subject {
    case symbol, type, thunk, witness, accessor, keyPath, override
  }

  /// Descriptions that are not followed by a plain type, and how the short form puts them.
  private static let descriptions: [(full: [UInt8], short: [UInt8], subject: Subject)] = {
    let shortened: [(String, String, Subject)] = [
      ("merged ", "", .symbol),
      ("partial apply forwarder for ", "partial apply for ", .symbol),
      ("reabstraction thunk helper ", "thunk for ", .thunk),
    ]
    let kept: [(String, Subject)] = [
      ("reabstraction thunk ", .type),
      ("protocol witness for ", .witness),
      ("protocol self-conformance witness for ", .symbol),
      ("vtable thunk for ", .override),
      ("dispatch thunk of ", .symbol),
      ("distributed thunk ", .symbol),
      ("one-time initialization function for ", .symbol),
      ("variable initialization expression of ", .symbol),
      ("property wrapper backing initializer of ", .symbol),
      ("associated type witness table accessor for ", .accessor),
      ("base witness table accessor for ", .accessor),
      ("key path getter for ", .keyPath),
      ("key path setter for ", .keyPath),
    ]
    return (shortened + kept.map { ($0, $0, $1) }).map {
      (Array($0.0.utf8), Array($0.1.utf8), $0.2)
    }
  }()

  private func symbol(_ range: Range<Int>, nesting: Int) -> [UInt8] {
    guard nesting < Self.nestingLimit else { return scanner[range] }
    var range = range
    if let suffix = scanner.find(" with unmangled suffix ", in: range) {
      range = range.lowerBound..<suffix
    }
    if let rest = afterSpecialization(range) {
      let name = symbol(rest, nesting: nesting + 1)
      let prefix = Array("specialized ".utf8)
      return name.starts(with: prefix) ? name : prefix + name
    }
    if let rest = afterResumePart(range) ?? afterDefaultArgument(range) {
      let kept =
        scanner.starts("default", at: range.lowerBound)
        ? scanner[range.lowerBound..<rest.lowerBound] : []
      return kept + symbol(rest, nesting: nesting + 1)
    }
    for (full, short, subject) in Self.descriptions
    where scanner.starts(full, at: range.lowerBound) {
      let rest = min(range.lowerBound + full.count, range.upperBound)..<range.upperBound
      return short + describe(subject, rest, nesting: nesting + 1)
    }
    if let witness = valueWitness(range, nesting: nesting) { return witness }
    if let subject = afterDescription(range) {
      return scanner[range.lowerBound..<subject.lowerBound]
        + conforming(subject, nesting: nesting + 1)
    }
    return entity(range, nesting: nesting)
  }

  private func describe(_ subject: Subject, _ range: Range<Int>, nesting: Int) -> [UInt8] {
    switch subject {
    case .symbol: symbol(range, nesting: nesting)
    case .type: conforming(range, nesting: nesting)
    case .thunk: thunk(range, nesting: nesting)
    case .witness:
      split(range, at: " in conformance ", nesting: nesting) {
        symbol($0, nesting: nesting)
      } second: {
        conforming($0, nesting: nesting)
      }
    case .accessor:
      split(range, at: " in ", nesting: nesting) {
        type($0, nesting: nesting)
      } second: {
        conforming($0, nesting: nesting)
      }
    case .override:
      split(range, at: " dispatching to ", nesting: nesting) {
        symbol($0, nesting: nesting)
      } second: {
        symbol($0, nesting: nesting)
      }
    case .keyPath:
      if let last = scanner.findLast(" : ", in: range) {
        entity(range.lowerBound..<last, nesting: nesting) + Array(" : ".utf8)
          + type(last + 3..<range.upperBound, nesting: nesting)
      } else {
        entity(range, nesting: nesting)
      }
    }
  }

  private func split(
    _ range: Range<Int>, at separator: String, nesting: Int,
    first: (Range<Int>) -> [UInt8], second: (Range<Int>) -> [UInt8]
  ) -> [UInt8] {
    guard let index = scanner.find(separator, in: range) else { return first(range) }
    let rest = index + separator.utf8.count
    return first(range.lowerBound..<index) + Array(separator.utf8)
      + second(rest..<range.upperBound)
  }

  /// A type with the protocol that it conforms to, which the short form leaves out.
  private func conforming(_ range: Range<Int>, nesting: Int) -> [UInt8] {
    let end = scanner.find(" : ", in: range) ?? range.upperBound
    return type(range.lowerBound..<end, nesting: nesting)
  }

  /// `<A> from X to Y`, shortened to `X`.
  private func thunk(_ range: Range<Int>, nesting: Int) -> [UInt8] {
    guard let from = scanner.find("from ", in: range) else {
      return type(range, nesting: nesting)
    }
    let start = from + 5
    let end = scanner.find(" to ", in: start..<range.upperBound) ?? range.upperBound
    return type(start..<end, nesting: nesting)
  }

  /// `destroy value witness for T`, shortened to `destroy for T`.
  private func valueWitness(_ range: Range<Int>, nesting: Int) -> [UInt8]? {
    let phrase = " value witness for "
    let word = scanner.identifierEnd(from: range.lowerBound, to: range.upperBound)
    guard word > range.lowerBound, scanner.starts(phrase, at: word) else { return nil }
    let rest = word + phrase.utf8.count
    guard rest <= range.upperBound else { return nil }
    return scanner[range.lowerBound..<word] + Array(" for ".utf8)
      + conforming(rest..<range.upperBound, nesting: nesting + 1)
  }

  /// What follows `generic specialization <…> of ` and its relatives.
  private func afterSpecialization(_ range: Range<Int>) -> Range<Int>? {
    guard
      scanner.starts("generic", at: range.lowerBound)
        || scanner.starts("function signature", at: range.lowerBound),
      let open = scanner.words(in: range, ending: "specialization "), open < range.upperBound,
      scanner.byte(open) == UInt8(ascii: "<")
    else { return nil }
    // Square brackets in the list of arguments are not always closed.
    let close = scanner.angleEnd(open, to: range.upperBound)
    guard scanner.starts(" of ", at: close), close + 4 <= range.upperBound else { return nil }
    return close + 4..<range.upperBound
  }

  /// What follows `(1) await resume partial function for `.
  private func afterResumePart(_ range: Range<Int>) -> Range<Int>? {
    guard scanner.starts("(", at: range.lowerBound) else { return nil }
    let close = scanner.next(range.lowerBound, to: range.upperBound)
    for phrase in [" await resume partial function for ", " suspend resume partial function for "]
    where scanner.starts(phrase, at: close) && close + phrase.utf8.count <= range.upperBound {
      return close + phrase.utf8.count..<range.upperBound
    }
    return nil
  }

  /// What follows `default argument 2 of `.
  private func afterDefaultArgument(_ range: Range<Int>) -> Range<Int>? {
    guard scanner.starts("default argument ", at: range.lowerBound),
      let of = scanner.find(" of ", in: range)
    else { return nil }
    return of + 4..<range.upperBound
  }

  /// What follows a description such as `type metadata accessor for `.
  private func afterDescription(_ range: Range<Int>) -> Range<Int>? {
    let phrases = [" and conformance ", " for type ", " for ", " of "]
    for phrase in phrases {
      if let rest = scanner.words(in: range, ending: phrase), rest < range.upperBound,
        !scanner.starts("getter of", at: range.lowerBound)
      {
        return rest..<range.upperBound
      }
    }
    return nil
  }
}
