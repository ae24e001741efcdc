// The Foundation work of a server: JSON, dictionaries, sorting by the rules of a language.
import Foundation

struct Post: Codable {
  var id: Int
  var author: String
  var tags: [String]
  var scores: [String: Double]
}

func posts(_ count: Int) -> [Post] {
  (0..<count).map { number in
    Post(
      id: number, author: "Müller \(number * 7919 % 97)",
      tags: (0..<5).map { "tag \($0 * number)" },
      scores: ["a": Double(number), "b": Double(number).squareRoot()])
  }
}

@inline(never) func encodeAndDecode(_ posts: [Post]) throws -> Int {
  let data = try JSONEncoder().encode(posts)
  return try JSONDecoder().decode([Post].self, from: data).count
}

@inline(never) func countWords(_ posts: [Post]) -> Int {
  var words: [String: Int] = [:]
  for post in posts {
    for word in post.tags + [post.author] { words[word, default: 0] += 1 }
  }
  return words.values.reduce(0, +)
}

@inline(never) func sortByLanguage(_ posts: [Post]) -> String {
  posts.map(\.author).sorted {
    $0.compare($1, options: [.caseInsensitive, .diacriticInsensitive]) == .orderedAscending
  }.first ?? ""
}

let seconds = CommandLine.arguments.count > 1 ? Double(CommandLine.arguments[1]) ?? 1 : 1
let end = Date().addingTimeInterval(seconds)
var sum = 0
while Date() < end {
  let all = posts(100)
  sum += try encodeAndDecode(all) + countWords(all) + sortByLanguage(all).count
}
print(sum > 0)
