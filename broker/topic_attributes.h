#pragma once

#include <map>
#include <string>
#include <string_view>

#include "common/result.h"

namespace comet::broker {

/// Applies `+key=value,-key` to a topic's attributes. kInvalid: a key that is not known, a value that it can't have, or
/// a change of an attribute that is fixed at creation. An attribute given to a new topic needs `+`. Source:
/// AttributeUtil, TopicAttributes; behaviour.md 12.1.
Result<std::map<std::string, std::string>> alter_attributes(bool creating,
                                                            const std::map<std::string, std::string>& present,
                                                            std::string_view changes);

/// The same for attributes given as a finished map (UPDATE_AND_CREATE_TOPIC_LIST): keys may carry the sign.
std::string attribute_changes_text(const std::map<std::string, std::string>& attributes);

}  // namespace comet::broker
