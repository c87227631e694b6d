module github.com/relock-project/relock/ci/bench

go 1.26.0

require (
	github.com/relock-project/relock v0.0.0
	github.com/sethvargo/go-password v0.4.0
)

replace github.com/relock-project/relock => ../..
