// Package bench measures whole installations of Sitehooks: how many events and
// deliveries a second, how soon, at what cost in processor, memory and disk,
// and how long pages take. It runs the program as an operator does, beside a
// receiver and a load that are processes of their own.
//
// It consists of tests. make bench runs them, and docs/performance.md is made
// from their figures.
package bench
