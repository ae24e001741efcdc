/// What decides the sizes of values in a unit.
struct DwarfFormat: Hashable {
  var version: UInt16
  var addressByteCount: UInt8
  /// Whether offsets have 8 bytes.
  var is64Bit: Bool

  /// The size of a form's values; nil where it varies.
  func byteCount(of form: UInt16) -> Int? {
    switch form {
    case DwarfForm.flagPresent, DwarfForm.implicitConstant: 0
    case DwarfForm.data1, DwarfForm.flag, DwarfForm.reference1, DwarfForm.stringIndex1,
      DwarfForm.addressIndex1:
      1
    case DwarfForm.data2, DwarfForm.reference2, DwarfForm.stringIndex2, DwarfForm.addressIndex2: 2
    case DwarfForm.stringIndex3, DwarfForm.addressIndex3: 3
    case DwarfForm.data4, DwarfForm.reference4, DwarfForm.stringIndex4, DwarfForm.addressIndex4,
      DwarfForm.supplementReference4:
      4
    case DwarfForm.data8, DwarfForm.reference8, DwarfForm.signatureReference,
      DwarfForm.supplementReference8:
      8
    case DwarfForm.data16: 16
    case DwarfForm.address: Int(addressByteCount)
    // Version 2 gave references to other units the size of an address.
    case DwarfForm.referenceAddress where version <= 2: Int(addressByteCount)
    case DwarfForm.referenceAddress, DwarfForm.stringOffset, DwarfForm.sectionOffset,
      DwarfForm.supplementString, DwarfForm.lineStringOffset, DwarfForm.gnuSupplementReference,
      DwarfForm.gnuSupplementString:
      is64Bit ? 8 : 4
    default: nil
    }
  }
}

/// An attribute's value as far as it can be told without other sections.
struct DwarfValue {
  /// What `value` is.
  enum Kind: UInt8 {
    case none
    /// A number; signed ones as their bit pattern.
    case constant
    case address
    /// An index into the unit's part of `.debug_addr`.
    case addressIndex
    /// Offset of the text itself, in `.debug_info` and in `.debug_line`.
    case text, lineText
    /// Offset in `.debug_str`, `.debug_line_str`, and that of the supplementary file.
    case string, lineString, supplementString
    /// An index into the unit's part of `.debug_str_offsets`.
    case stringIndex
    /// Offset of an entry in `.debug_info`, and in that of the supplementary file.
    case reference, supplementReference
    case sectionOffset
    case rangeListIndex
  }

  var kind: Kind = .none
  var value: UInt64 = 0

  var isThere: Bool { kind != .none }
}

extension DwarfCursor {
  /// Moves behind a value.
  mutating func skip(form: UInt16, format: DwarfFormat) {
    if let byteCount = format.byteCount(of: form) { return skip(UInt64(byteCount)) }
    switch form {
    case DwarfForm.string: _ = text()
    case DwarfForm.block1: skip(UInt64(byte()))
    case DwarfForm.block2: skip(half())
    case DwarfForm.block4: skip(word())
    case DwarfForm.block, DwarfForm.expression: skip(unsigned())
    case DwarfForm.signedData, DwarfForm.unsignedData, DwarfForm.referenceUnsigned,
      DwarfForm.stringIndex, DwarfForm.addressIndex, DwarfForm.locationListIndex,
      DwarfForm.rangeListIndex, DwarfForm.gnuAddressIndex, DwarfForm.gnuStringIndex:
      skipNumber()
    case DwarfForm.indirect:
      let actual = unsigned()
      // A chain of these, or one without its constant, has no meaning.
      if actual == UInt64(DwarfForm.indirect) || actual == UInt64(DwarfForm.implicitConstant)
        || actual > UInt64(UInt16.max)
      {
        return giveUp()
      }
      skip(form: UInt16(actual), format: format)
    default: giveUp()
    }
  }

  /// Reads a value.
  ///
  /// - Parameters:
  ///   - form: Its form.
  ///   - constant: What the abbreviation says, for `DW_FORM_implicit_const`.
  ///   - format: Of the unit.
  ///   - unit: Offset of the unit, to which references are relative.
  /// - Returns: The value; `none` for blocks and other things that are not needed.
  mutating func value(
    form: UInt16, constant: Int64, format: DwarfFormat, unit: Int
  ) -> DwarfValue {
    let base = UInt64(unit)
    switch form {
    case DwarfForm.address:
      return DwarfValue(kind: .address, value: integer(byteCount: format.addressByteCount))
    case DwarfForm.data1, DwarfForm.flag: return DwarfValue(kind: .constant, value: UInt64(byte()))
    case DwarfForm.data2: return DwarfValue(kind: .constant, value: half())
    case DwarfForm.data4: return DwarfValue(kind: .constant, value: word())
    case DwarfForm.data8: return DwarfValue(kind: .constant, value: double())
    case DwarfForm.unsignedData: return DwarfValue(kind: .constant, value: unsigned())
    case DwarfForm.signedData:
      return DwarfValue(kind: .constant, value: UInt64(bitPattern: signed()))
    case DwarfForm.implicitConstant:
      return DwarfValue(kind: .constant, value: UInt64(bitPattern: constant))
    case DwarfForm.flagPresent: return DwarfValue(kind: .constant, value: 1)
    case DwarfForm.string:
      let start = UInt64(offset)
      _ = text()
      return DwarfValue(kind: .text, value: start)
    case DwarfForm.stringOffset:
      return DwarfValue(kind: .string, value: sectionOffset(is64Bit: format.is64Bit))
    case DwarfForm.lineStringOffset:
      return DwarfValue(kind: .lineString, value: sectionOffset(is64Bit: format.is64Bit))
    case DwarfForm.supplementString, DwarfForm.gnuSupplementString:
      return DwarfValue(kind: .supplementString, value: sectionOffset(is64Bit: format.is64Bit))
    case DwarfForm.stringIndex, DwarfForm.gnuStringIndex:
      return DwarfValue(kind: .stringIndex, value: unsigned())
    case DwarfForm.stringIndex1: return DwarfValue(kind: .stringIndex, value: UInt64(byte()))
    case DwarfForm.stringIndex2: return DwarfValue(kind: .stringIndex, value: half())
    case DwarfForm.stringIndex3: return DwarfValue(kind: .stringIndex, value: threeBytes())
    case DwarfForm.stringIndex4: return DwarfValue(kind: .stringIndex, value: word())
    case DwarfForm.addressIndex, DwarfForm.gnuAddressIndex:
      return DwarfValue(kind: .addressIndex, value: unsigned())
    case DwarfForm.addressIndex1: return DwarfValue(kind: .addressIndex, value: UInt64(byte()))
    case DwarfForm.addressIndex2: return DwarfValue(kind: .addressIndex, value: half())
    case DwarfForm.addressIndex3: return DwarfValue(kind: .addressIndex, value: threeBytes())
    case DwarfForm.addressIndex4: return DwarfValue(kind: .addressIndex, value: word())
    case DwarfForm.reference1:
      return DwarfValue(kind: .reference, value: base &+ UInt64(byte()))
    case DwarfForm.reference2: return DwarfValue(kind: .reference, value: base &+ half())
    case DwarfForm.reference4: return DwarfValue(kind: .reference, value: base &+ word())
    case DwarfForm.reference8: return DwarfValue(kind: .reference, value: base &+ double())
    case DwarfForm.referenceUnsigned:
      return DwarfValue(kind: .reference, value: base &+ unsigned())
    case DwarfForm.referenceAddress:
      let isAddress = format.version <= 2
      return DwarfValue(
        kind: .reference,
        value: isAddress
          ? integer(byteCount: format.addressByteCount)
          : sectionOffset(is64Bit: format.is64Bit))
    case DwarfForm.supplementReference4:
      return DwarfValue(kind: .supplementReference, value: word())
    case DwarfForm.supplementReference8:
      return DwarfValue(kind: .supplementReference, value: double())
    case DwarfForm.gnuSupplementReference:
      return DwarfValue(
        kind: .supplementReference, value: sectionOffset(is64Bit: format.is64Bit))
    case DwarfForm.sectionOffset:
      return DwarfValue(kind: .sectionOffset, value: sectionOffset(is64Bit: format.is64Bit))
    case DwarfForm.rangeListIndex:
      return DwarfValue(kind: .rangeListIndex, value: unsigned())
    case DwarfForm.indirect:
      let actual = unsigned()
      guard actual != UInt64(form), actual != UInt64(DwarfForm.implicitConstant),
        let actual = UInt16(exactly: actual)
      else {
        giveUp()
        return DwarfValue()
      }
      return value(form: actual, constant: 0, format: format, unit: unit)
    default:
      skip(form: form, format: format)
      return DwarfValue()
    }
  }
}
