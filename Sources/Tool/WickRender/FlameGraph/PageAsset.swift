import CWickAssets

/// Scripts and styles of pages, as embedded in the tool.
enum PageAsset {
  /// The script of a flame graph.
  static var script: String { unsafe text(wick_asset_flamegraph_js) }

  /// The style sheet of a flame graph.
  static var style: String { unsafe text(wick_asset_flamegraph_css) }

  /// The style sheet of annotated sources.
  static var annotationStyle: String { unsafe text(wick_asset_annotate_css) }

  private static func text(
    _ asset: (UnsafeMutablePointer<Int>?) -> UnsafePointer<CChar>?
  ) -> String {
    var byteCount = 0
    guard let start = unsafe asset(&byteCount) else { return "" }
    let bytes = unsafe UnsafeRawBufferPointer(start: start, count: byteCount)
    return unsafe String(decoding: bytes, as: UTF8.self)
  }
}
