#pragma once

#include "remoting/protocol/headers/admin_broker.h"
#include "remoting/protocol/headers/admin_group.h"
#include "remoting/protocol/headers/admin_topic.h"
#include "remoting/protocol/headers/client.h"
#include "remoting/protocol/headers/kv.h"
#include "remoting/protocol/headers/offset.h"
#include "remoting/protocol/headers/pop.h"
#include "remoting/protocol/headers/pull.h"
#include "remoting/protocol/headers/push.h"
#include "remoting/protocol/headers/query.h"
#include "remoting/protocol/headers/replication.h"
#include "remoting/protocol/headers/route.h"
#include "remoting/protocol/headers/send.h"
#include "remoting/protocol/headers/transaction.h"

/// Every request that has a field table, for tests that walk them all.
namespace comet::remoting {

template <class... Request>
struct RequestTypes {
  /// Calls `visit.template operator()<Request>()` for each.
  template <class Visit>
  static void each(Visit visit) {
    (visit.template operator()<Request>(), ...);
  }
};

using AllRequests = RequestTypes<
    UpdateBrokerConfigRequest, GetBrokerConfigRequest, GetBrokerRuntimeInfoRequest, ViewBrokerStatsDataRequest,
    GetBrokerConsumeStatsRequest, GetBrokerHaStatusRequest, CleanExpiredConsumequeueRequest, CleanUnusedTopicRequest,
    DeleteExpiredCommitlogRequest, ResumeCheckHalfMessageRequest, CheckRocksdbCqWriteProgressRequest,
    ExportRocksdbConfigToJsonRequest, UpdateColdDataFlowCtrConfigRequest, RemoveColdDataFlowCtrConfigRequest,
    GetColdDataFlowCtrInfoRequest, SetCommitlogReadModeRequest, AuthCreateUserRequest, AuthUpdateUserRequest,
    AuthDeleteUserRequest, AuthGetUserRequest, AuthListUserRequest, AuthCreateAclRequest, AuthUpdateAclRequest,
    AuthDeleteAclRequest, AuthGetAclRequest, AuthListAclRequest, UpdateAndCreateSubscriptiongroupRequest,
    UpdateAndCreateSubscriptiongroupListRequest, DeleteSubscriptiongroupRequest, GetSubscriptiongroupConfigRequest,
    UpdateAndGetGroupForbiddenRequest, GetConsumeStatsRequest, GetConsumerConnectionListRequest,
    GetProducerConnectionListRequest, GetAllProducerInfoRequest, QueryTopicsByConsumerRequest,
    QuerySubscriptionByConsumerRequest, QueryConsumeTimeSpanRequest, QueryCorrectionOffsetRequest,
    InvokeBrokerToResetOffsetRequest, InvokeBrokerToGetConsumerStatusRequest, CloneGroupOffsetRequest,
    UpdateAndCreateTopicRequest, UpdateAndCreateStaticTopicRequest, UpdateAndCreateTopicListRequest,
    DeleteTopicInBrokerRequest, GetTopicConfigRequest, GetTopicStatsInfoRequest, QueryTopicConsumeByWhoRequest,
    GetSystemTopicListFromBrokerRequest, QueryConsumeQueueRequest, HeartBeatRequest, UnregisterClientRequest,
    GetConsumerListByGroupRequest, LockBatchMqRequest, UnlockBatchMqRequest, CheckClientConfigRequest,
    QueryAssignmentRequest, SetMessageRequestModeRequest, PutKvConfigRequest, GetKvConfigRequest, DeleteKvConfigRequest,
    GetKvlistByNamespaceRequest, UpdateNamesrvConfigRequest, GetNamesrvConfigRequest, QueryConsumerOffsetRequest,
    UpdateConsumerOffsetRequest, SearchOffsetByTimestampRequest, GetMaxOffsetRequest, GetMinOffsetRequest,
    GetEarliestMsgStoretimeRequest, PopMessageRequest, AckMessageRequest, PeekMessageRequest,
    ChangeMessageInvisibletimeRequest, NotificationRequest, PollingInfoRequest, PopRollbackRequest,
    BatchAckMessageRequest, PullMessageRequest, LitePullMessageRequest, NotifyConsumerIdsChangedRequest,
    ResetConsumerClientOffsetRequest, GetConsumerStatusFromClientRequest, GetConsumerRunningInfoRequest,
    ConsumeMessageDirectlyRequest, PushReplyMessageToClientRequest, QueryMessageRequest, ViewMessageByIdRequest,
    NotifyMinBrokerIdChangeRequest, ExchangeBrokerHaInfoRequest, ResetMasterFlushOffsetRequest,
    GetAllTopicConfigRequest, GetAllSubscriptiongroupConfigRequest, GetAllConsumerOffsetRequest,
    GetAllDelayOffsetRequest, GetAllMessageRequestModeRequest, GetTimerCheckPointRequest, GetTimerMetricsRequest,
    RegisterBrokerRequest, UnregisterBrokerRequest, QueryDataVersionRequest, BrokerHeartbeatRequest,
    RegisterTopicInNamesrvRequest, GetRouteinfoByTopicRequest, GetBrokerClusterInfoRequest,
    GetAllTopicListFromNameserverRequest, GetTopicsByClusterRequest, GetSystemTopicListFromNsRequest,
    GetUnitTopicListRequest, GetHasUnitSubTopicListRequest, GetHasUnitSubUnunitTopicListRequest,
    GetBrokerMemberGroupRequest, WipeWritePermOfBrokerRequest, AddWritePermOfBrokerRequest, DeleteTopicInNamesrvRequest,
    SendMessageRequest, SendMessageV2Request, SendBatchMessageRequest, SendReplyMessageRequest,
    SendReplyMessageV2Request, ConsumerSendMsgBackRequest, RecallMessageRequest, EndTransactionRequest,
    CheckTransactionStateRequest>;

}  // namespace comet::remoting
