// What an image's filesystem is called by its layers alone (image-spec, config.md, "Layer ChainID").
#pragma once

#include <string>
#include <vector>

#include "common/hash/digest.hpp"
#include "common/hash/sha256.hpp"

namespace image {

// Of no layer at all, which the specification leaves open.
inline hash::Digest empty_chain() {
  return hash::sha256("");
}

// Of the layers of `chain` with one more on top.
inline hash::Digest chain_on(const hash::Digest& chain, const hash::Digest& diff_id) {
  return chain == empty_chain() ? diff_id : hash::sha256(chain.str() + " " + diff_id.str());
}

// Of all of these, lowest first.
inline hash::Digest chain_id(const std::vector<hash::Digest>& diff_ids) {
  auto chain = empty_chain();
  for (const auto& diff_id : diff_ids)
    chain = chain_on(chain, diff_id);
  return chain;
}

}  // namespace image
