//go:build !unix

package webtest

func receiveLittle(uintptr) {}
