// Package huawei drives Huawei Cloud: ECS machines of one region as a rotation.Fleet, and the secrets of DEW (CSMS) as
// the rotation.Shelf of a rotation.Ledger. It makes no decisions; package rotation does.
//
// Its one invariant: an error says no more than the provider did. Only codes of one table mean that a request had no
// effect; everything else, unknown codes included, is ambiguous. That a reset was accepted is never taken for more than
// that: the password takes effect at the machine's next boot, and nobody reports whether it did.
package huawei
