extension FlameGraph {
  /// What a flame graph says and how much of it is drawn.
  public struct Options: Hashable, Sendable {
    /// The headline.
    public var title: String
    /// The line below it: how the profile was taken and what was lost; empty for none.
    public var subtitle: String
    /// Narrower boxes are left out, in pixels of a picture 1,200 pixels wide.
    public var minimumWidth: Double
    /// Most boxes drawn; the widest are kept, since browsers grow slow with more.
    public var maximumBoxCount: Int

    /// Creates options.
    public init(
      title: String = "Flame graph", subtitle: String = "", minimumWidth: Double = 0.1,
      maximumBoxCount: Int = 20_000
    ) {
      self.title = title
      self.subtitle = subtitle
      self.minimumWidth = minimumWidth
      self.maximumBoxCount = maximumBoxCount
    }
  }
}
