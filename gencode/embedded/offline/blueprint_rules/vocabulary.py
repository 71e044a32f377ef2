"""The entities that the rules know, by the words that name them, with their usual fields.

A block has the entity with its words, then its fields, NAME:LABEL:TYPE and flags (r required, u unique), then
the entities that each record belongs to (<), and those that it is in a many-to-many relation with (&).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownEntity:
    """`words`: a regular expression. `belongs_to`: entities that each of its records has one of, if they are
    there; `has_many`: those that it is in a many-to-many relation with."""

    name: str
    label: str
    words: re.Pattern[str]
    fields: tuple[str, ...]
    belongs_to: tuple[str, ...] = ()
    has_many: tuple[str, ...] = ()


_BLOCKS = """
User 用户 users?|accounts?|members? = 用户|会员|账号
  username:用户名:varchar(50):ru email:邮箱:varchar(100):ru phone:手机号:varchar(20)
  password_hash:密码摘要:varchar(255) status:状态:enum(active,disabled):r
  & Role
Role 角色 roles?|rbac = 角色|权限管理|权限控制
  name:角色名称:varchar(50):ru description:描述:varchar(255)
  & Permission
Permission 权限 permissions?|access control = 权限
  code:权限编码:varchar(100):ru name:权限名称:varchar(100):r
Customer 客户 customers?|clients? = 客户|顾客
  name:名称:varchar(100):r email:邮箱:varchar(100) phone:电话:varchar(20) address:地址:varchar(255)
Supplier 供应商 suppliers?|vendors? = 供应商
  name:名称:varchar(100):r contact:联系人:varchar(50) phone:电话:varchar(20)
Category 分类 categor(?:y|ies) = 分类|类别
  name:名称:varchar(100):ru description:描述:varchar(255)
Product 商品 products?|goods = 商品|产品
  name:名称:varchar(100):r code:编码:varchar(50):ru price:价格:decimal(12,2):r stock:库存:int:r
  description:描述:text
  < Category Supplier
Order 订单 orders? = 订单
  number:订单号:varchar(50):ru total:总金额:decimal(12,2):r
  status:状态:enum(pending,paid,shipped,completed,cancelled):r ordered_at:下单时间:datetime
  < Customer User
OrderItem 订单明细 order items?|line items? = 订单明细|订单项
  quantity:数量:int:r price:单价:decimal(12,2):r
  < Order Product
Cart 购物车 (?:shopping )?carts? = 购物车
  quantity:数量:int:r
  < User Product
Payment 支付 payments? = 支付|付款
  number:支付单号:varchar(50):ru amount:金额:decimal(12,2):r
  method:方式:enum(card,transfer,wallet):r paid_at:支付时间:datetime
  < Order
Invoice 发票 invoices? = 发票
  number:发票号:varchar(50):ru amount:金额:decimal(12,2):r issued_on:开票日期:date:r
  < Order Customer
Warehouse 仓库 warehouses? = 仓库
  name:名称:varchar(100):r location:位置:varchar(255)
StockRecord 库存记录 inventory|stock records? = 库存管理|库存记录|出入库
  quantity:数量:int:r direction:方向:enum(inbound,outbound):r
  < Product Warehouse
Department 部门 departments? = 部门
  name:名称:varchar(100):ru description:描述:varchar(255)
Employee 员工 employees?|staff = 员工|职员
  number:工号:varchar(50):ru name:姓名:varchar(100):r email:邮箱:varchar(100) hired_on:入职日期:date
  < Department
Attendance 考勤 attendance = 考勤|打卡
  day:日期:date:r checked_in_at:签到时间:datetime checked_out_at:签退时间:datetime
  < Employee
LeaveRequest 请假 leave requests? = 请假|休假
  reason:原因:varchar(255):r starts_on:开始日期:date:r ends_on:结束日期:date:r
  status:状态:enum(pending,approved,rejected):r
  < Employee User
Project 项目 projects? = (?<!本)项目
  name:名称:varchar(100):r description:描述:text starts_on:开始日期:date ends_on:结束日期:date
  status:状态:enum(planned,active,completed):r
Task 任务 tasks?|to-?dos? = 任务|待办
  title:标题:varchar(200):r description:描述:text status:状态:enum(open,active,done):r
  due_on:截止日期:date
  < Project User
Article 文章 articles?|(?:blog )?posts? = 文章|博客|新闻
  title:标题:varchar(200):r content:内容:text:r published_at:发布时间:datetime
  < Category User
  & Tag
Tag 标签 tags? = 标签
  name:名称:varchar(50):ru
Comment 评论 comments?|reviews? = 评论|留言
  content:内容:text:r
  < Article Product User
Student 学生 students? = 学生|学员
  number:学号:varchar(50):ru name:姓名:varchar(100):r email:邮箱:varchar(100)
  & Course
Teacher 教师 teachers? = 教师|老师
  name:姓名:varchar(100):r email:邮箱:varchar(100)
Course 课程 courses? = 课程
  name:名称:varchar(100):r code:课程编号:varchar(50):ru credits:学分:int
  < Teacher
Book 图书 books? = 图书|书籍
  title:书名:varchar(200):r isbn:ISBN:varchar(20):u author:作者:varchar(100) copies:册数:int
  < Category
Loan 借阅 loans?|borrowings? = 借阅
  borrowed_on:借出日期:date:r due_on:应还日期:date:r returned_on:归还日期:date
  < Book User
Appointment 预约 appointments?|bookings?|reservations? = 预约|预订
  starts_at:开始时间:datetime:r ends_at:结束时间:datetime
  status:状态:enum(booked,completed,cancelled):r
  < Customer User
Device 设备 devices?|equipment = 设备|资产
  name:名称:varchar(100):r serial_number:序列号:varchar(100):ru
  status:状态:enum(in_use,idle,repair):r bought_on:购入日期:date
  < Department
Ticket 工单 tickets?|issues? = 工单|报修
  title:标题:varchar(200):r description:描述:text status:状态:enum(open,active,closed):r
  priority:优先级:enum(low,normal,high):r
  < User Device
Notice 公告 notices?|announcements? = 公告|通知
  title:标题:varchar(200):r content:内容:text:r published_at:发布时间:datetime
  < User
"""
_FLOW_BLOCKS = """
logIn 登录 log ?in|sign ?in = 登录|登陆
  Find the user by name
  Compare the password with its digest
  Begin a session
  < User
register 注册 sign ?up|register|registration = 注册
  Check that name and email are free
  Store a digest of the password
  Create the user
  < User
approveRequest 审批 approv(?:e|al) = 审批|审核
  Check that the request is pending
  Store the decision and who made it
exportRecords 导出 exports? = 导出
  Read the records that match the filters
  Write them as a file
payOrder 支付订单 pay(?:s|ment)? (?:for )?(?:an? |the )?orders? = 订单支付|支付订单
  Check that the order is pending
  Record the payment
  Set the order to paid
  < Order
"""


def _words(text: str) -> re.Pattern[str]:
    """English words stand alone; Chinese ones have no boundaries."""
    english, _, chinese = text.partition(" = ")
    return re.compile(rf"\b(?:{english})\b|{chinese}", re.IGNORECASE)


def _blocks(text: str) -> Iterator[tuple[str, str, str, list[str]]]:
    """Name, label, words, and the lines that follow."""
    for block in re.split(r"\n(?=\S)", text.strip()):
        head, *lines = block.split("\n")
        name, label, words = head.split(" ", 2)
        yield name, label, words, [line.strip() for line in lines]


def _after(mark: str, lines: Sequence[str]) -> tuple[str, ...]:
    return tuple(word for line in lines if line.startswith(mark) for word in line.split()[1:])


def _entities() -> Iterator[KnownEntity]:
    for name, label, words, lines in _blocks(_BLOCKS):
        yield KnownEntity(
            name=name,
            label=label,
            words=_words(words),
            fields=tuple(field for line in lines if line[0] not in "<&" for field in line.split()),
            belongs_to=_after("<", lines),
            has_many=_after("&", lines),
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class KnownFlow:
    name: str
    label: str
    words: re.Pattern[str]
    entity: str
    steps: tuple[str, ...]


def _flows() -> Iterator[KnownFlow]:
    for name, label, words, lines in _blocks(_FLOW_BLOCKS):
        yield KnownFlow(
            name=name,
            label=label,
            words=_words(words),
            entity=" ".join(_after("<", lines)),
            steps=tuple(line for line in lines if line[0] != "<"),
        )


ENTITIES = MappingProxyType({one.name: one for one in _entities()})
FLOWS = MappingProxyType({one.name: one for one in _flows()})


def fields_of(entity: KnownEntity, *, chinese: bool) -> list[dict[str, Any]]:
    return [_field(one, chinese=chinese) for one in entity.fields]


def _field(text: str, *, chinese: bool) -> dict[str, Any]:
    name, label, type_, *flags = text.split(":")
    field: dict[str, Any] = {"name": name, "type": type_}
    if chinese:
        field["label"] = label
    marks = flags[0] if flags else ""
    return field | ({"required": True} if "r" in marks else {}) | ({"unique": True} if "u" in marks else {})
