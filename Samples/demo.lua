-- The requests of the demo for wrk: mostly ordinary ones, and every fault and cure now and then; or,
-- with the argument "slow" or "fast", one fault or its cure.

-- {how often, method, function that makes the path[, function that makes the body]}
local function any(most)
  return math.random(most)
end

local function page(path)
  return function() return path .. "?limit=100&after=" .. any(9000) end
end

local mix = {
  {16, "GET", function() return "/users/" .. any(2000) end},
  {16, "GET", function() return "/posts/" .. any(10000) end},
  {10, "GET", function() return "/posts?after=" .. any(9000) end},
  {10, "GET", function() return "/posts/" .. any(10000) .. "/comments" end},
  {5, "GET", function() return "/tags/" .. any(100) .. "/posts" end},
  {4, "POST", function() return "/comments" end, function()
    return string.format('{"post": %d, "author": %d, "body": "So it is."}', any(10000), any(2000))
  end},
  {2, "PUT", function() return "/comments/" .. any(50000) end, function()
    return string.format('{"post": %d, "author": %d, "body": "Or not."}', any(10000), any(2000))
  end},
}

local twins = {
  {8, page("feed")},
  {2, function() return "comment-count?user=" .. any(2000) end},
  {4, page("posts")},
  {2, function() return "export" end},
  {6, page("comments")},
  {4, page("calendar")},
  {6, function() return "commented?user=" .. any(2000) end},
}
local function add(twin, side)
  table.insert(mix, {twin[1], "GET", function() return side .. twin[2]() end})
end

local total = 0

-- Each of wrk's threads has its own interpreter and its own fixed sequence.
local threads = 0

function setup(thread)
  threads = threads + 1
  thread:set("seed", threads)
end

function init(arguments)
  math.randomseed(seed)
  if arguments[1] then
    add({4, page("calendar")}, "/" .. arguments[1] .. "/")
  else
    for _, twin in ipairs(twins) do
      for _, side in ipairs({"/slow/", "/fast/"}) do add(twin, side) end
    end
  end
  for _, entry in ipairs(mix) do
    total = total + entry[1]
  end
end

function request()
  local left = any(total)
  for _, entry in ipairs(mix) do
    left = left - entry[1]
    if left <= 0 then
      local body = entry[4] and entry[4]()
      local headers = body and {["Content-Type"] = "application/json"}
      return wrk.format(entry[2], entry[3](), headers, body)
    end
  end
end
