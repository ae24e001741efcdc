import Foundation
import Testing
import WickProfile

@testable import WickSymbols

@Suite struct DemanglerTests {
  @Test(arguments: [
    // Swift: async parts, closures, specializations, other prefixes.
    ("$s1a4leafyS2iYaFTY1_", "leaf(_:)"),
    ("$s1a4leafyS2iYaFTQ0_", "leaf(_:)"),
    ("_$s1a4leafyS2iYaF", "leaf(_:)"),
    ("$s4main5routeyS2iFSiyXEfU_", "closure #1 in route(_:)"),
    ("async_MainTQ0_", "async_Main"),
    // C++.
    ("_ZN2ns4pushEi", "ns::push"),
    ("_ZNSt6vectorIiSaIiEE9push_backERKi", "std::vector<int, std::allocator<int> >::push_back"),
    ("_ZNKSt6vectorIiSaIiEE4sizeEv", "std::vector<int, std::allocator<int> >::size"),
    ("_ZSt3maxIiERKT_S2_S2_", "std::max<int>"),
    ("_Znwm", "operator new"),
    ("_ZN1AclEi", "A::operator()"),
    ("_ZN1AcvbEv", "A::operator bool"),
    ("_ZN12_GLOBAL__N_13runEv", "(anonymous namespace)::run"),
    ("_ZThn16_N1B1fEv", "non-virtual thunk to B::f"),
    // Rust.
    ("_ZN4core3fmt5write17h0123456789abcdefE", "core::fmt::write"),
    (
      "_ZN58_$LT$alloc..string..String$u20$as$u20$core..fmt..Write$GT$9write_str17h0123456789abcdefE",
      "<alloc::string::String as core::fmt::Write>::write_str"
    ),
    ("_RNvCs1234_7mycrate3foo", "mycrate::foo"),
    // C, and what linkers and compilers append.
    ("qsort_r", "qsort_r"),
    ("memcpy@@GLIBC_2.14", "memcpy"),
    ("fgets.cold", "fgets"),
    ("parse.part.3.isra.0", "parse"),
    ("walk.constprop.0.cold", "walk"),
    ("_ZN2ns4pushEi.llvm.1234567", "ns::push"),
    ("$s1a4leafyS2iYaFTY1_.resume.0", "leaf(_:)"),
    ("main.func1", "main.func1"),
    (".cold", ".cold"),
    ("malloc@plt", "malloc@plt"),
    ("_ZN2ns4pushEi@plt", "ns::push@plt"),
    ("", ""),
    ("_Z", "_Z"),
    ("_ZN", "_ZN"),
    ("$s", "$s"),
  ])
  func symbolBecomesName(symbol: String, name: String) {
    #expect(Demangler.name(of: symbol) == name)
  }

  /// Names that the mangling abbreviates, which -p writes out.
  private static func abbreviated(_ name: some StringProtocol) -> String {
    var name = String(name)
    let traits = "<char, std::char_traits<char> >"
    name.replace(
      "std::basic_string<char, std::char_traits<char>, std::allocator<char> >",
      with: "std::string")
    name.replace("std::string >", with: "std::string>")
    for stream in ["istream", "ostream", "iostream"] {
      name.replace("std::basic_\(stream)\(traits)", with: "std::\(stream)")
    }
    return name
  }

  @Test(.enabled(if: ToolRun.find("c++filt") != nil, "no c++filt on PATH"))
  func cppNamesAgreeWithFilter() throws {
    let image = try RealFiles.image(try RealFiles.path("libstdc++.so.6"))
    let names = Set(image.symbols.filter(\.isFunction).map { image.names[$0.name] })
      .filter {
        $0.hasPrefix("_Z") && !$0.hasPrefix("_ZGTt") && !$0.hasPrefix("_ZT") && !$0.contains("@")
      }.sorted()
    #expect(names.count > 3000)
    // -p leaves parameters out, though not of what thunks and transaction clones stand for.
    let wanted = try ToolRun.lines(["c++filt", "-p"], input: names.joined(separator: "\n") + "\n")
    try #require(wanted.count == names.count)
    let differing = zip(names, wanted).filter {
      Self.abbreviated(Demangler.name(of: $0)) != Self.abbreviated($1)
    }
    let share = 1 - Double(differing.count) / Double(names.count)
    print("C++ names: \(share * 100) % of \(names.count) agree")
    for (name, wanted) in differing.prefix(8) { print(" ", Demangler.name(of: name), "|", wanted) }
    #expect(share >= 0.995)
  }
}

@Suite struct GlibcNameTests {
  @Test(arguments: [
    ("__memmove_avx512_unaligned_erms", "memmove"), ("__memcpy_sse2_unaligned", "memcpy"),
    ("__strlen_evex", "strlen"), ("__strcasecmp_l_avx", nil),
    ("__wmemset_evex_unaligned", "wmemset"),
    ("__sin_fma", "sin"), ("__expf_fma", "expf"), ("__memcpy_chk", nil), ("__memmove", nil),
    ("memmove_avx", nil), ("__dot_avx2", nil), ("__strtol_internal", nil), ("__mem_", nil),
    ("__", nil), ("___memcpy_avx", nil),
  ])
  func variantsHaveTheirPublicName(symbol: String, name: String?) {
    #expect(GlibcName.ofVariant(symbol) == name)
    #expect(Demangler.name(of: symbol) == name ?? symbol)
  }
}

@Suite struct SwiftForwardingTests {
  @Test(arguments: [
    ("partial apply for closure #1 in route(_:)", Forwarding.to("closure #1 in route(_:)")),
    ("thunk for @escaping @callee_guaranteed () -> ()", .thunk),
    ("dispatch thunk of Decoder.container<A>(keyedBy:)", .thunk),
    ("protocol witness for Subcommand.run(_:) in conformance Report", .method("run(_:)")),
    ("protocol witness for Box<A>.Inner.run(_:) in conformance X", .method("Inner.run(_:)")),
    ("protocol witness for run", nil), ("closure #1 in route(_:)", nil), ("main", nil), ("", nil),
  ])
  func compilersFunctionsAreTold(name: String, forwarding: Forwarding?) {
    #expect(SwiftForwarding.of(name) == forwarding)
  }

  /// Classes as `typeid(x).name()` names them behind `_ZTS`, which is how their symbols begin.
  @Test func typesOfCppHaveTheirNames() {
    for (symbol, name) in [
      ("_ZTSN3app4NodeE", "app::Node"), ("_ZTS4Base", "Base"),
      ("_ZTSN12_GLOBAL__N_16HiddenE", "(anonymous namespace)::Hidden"),
      ("_ZTSSt6vectorIiSaIiEE", "std::vector<int, std::allocator<int> >"),
      ("_ZTSSt8functionIFviEE", "std::function<void (int)>"),
    ] {
      #expect(Demangler.cppTypeName(of: symbol) == name)
    }
    #expect(Demangler.cppTypeName(of: "app.Node") == nil)
    #expect(Demangler.cppTypeName(of: "_ZTS") == nil)
    #expect(Demangler.cppTypeName(of: "_ZTSN3appE_") == nil)
    #expect(Demangler.cppTypeName(of: "_ZTS" + String(repeating: "P", count: 100_000)) == nil)
  }
}
