-- For ../userland.py: calls, tables, closures and strings; the same words on every machine. Tables with names as
-- keys are never walked: their order depends on where they lie.
local seed = 1
local function random(n) -- a linear congruential generator
    seed = (seed * 1103515245 + 12345) & 0x7fffffff
    return (seed >> 8) % n
end

local function queens(n)
    local count, columns, up, down = 0, {}, {}, {}
    local function place(row)
        if row > n then
            count = count + 1
            return
        end
        for c = 1, n do
            local u, d = row + c, row - c + n
            if not (columns[c] or up[u] or down[d]) then
                columns[c], up[u], down[d] = true, true, true
                place(row + 1)
                columns[c], up[u], down[d] = nil, nil, nil
            end
        end
    end
    place(1)
    return count
end

local function words(n)
    local out, seen, distinct = {}, {}, 0
    for i = 1, n do
        local w = {}
        for j = 1, 2 + random(5) do
            w[j] = string.char(97 + random(12))
        end
        out[i] = table.concat(w)
        if not seen[out[i]] then
            seen[out[i]], distinct = i, distinct + 1
        end
    end
    return out, distinct
end

local function hash(s)
    local h = 5381
    for i = 1, #s do
        h = (h * 33 + s:byte(i)) & 0xffffffff
    end
    return h
end

local function matrices(n)
    local function make()
        local m = {}
        for i = 1, n do
            m[i] = {}
            for j = 1, n do
                m[i][j] = random(1000) / 8
            end
        end
        return m
    end
    local a, b, trace = make(), make(), 0
    for i = 1, n do
        for j = 1, n do
            local sum = 0.0
            for k = 1, n do
                sum = sum + a[i][k] * b[k][j]
            end
            trace = i == j and trace + sum or trace
        end
    end
    return trace
end

print("queens", queens(9))
local list, distinct = words(100000)
table.sort(list)
local text = table.concat(list, " ")
print("words", #list, distinct, #text, hash(text))
local swapped, n = text:gsub("(%a)(%a+)", "%2%1")
print("swapped", n, hash(swapped), select(2, text:gsub("abc*", "")))
print("matrices", string.format("%.3f", matrices(110)))
